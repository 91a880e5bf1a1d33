"""The account on Prolific that crowd links are connected to."""

from config import env

TOKEN = env.text(
    "PREFERABLY_PROLIFIC_TOKEN",
    "API token of the Prolific account that crowd links are connected to.",
    default="",
)
URL = env.text(
    "PREFERABLY_PROLIFIC_URL",
    "Where Prolific's API is. It gets the token.",
    default="https://api.prolific.com",
)
