"""The demo's simulated raters: five of the loop's, two of another taste, one who is careless."""

from simulated_raters import GUIDELINE_WORDS, NOISE, RATERS, Rater, on_topic, short, unrepeated


def thorough(prompt: str, response: str) -> float:
    """Higher for long responses, and less so for what the guideline asks besides."""
    rest = on_topic(prompt, response) + unrepeated(prompt, response)
    return (2 * (1 - short(prompt, response)) + rest) / 4


CARELESS = Rater("Casper", "no reading", lambda _prompt, _response: 0.0, 0.0, noise=1.0)
OTHERS = (
    Rater("Lena", "2 for long, 1 : 1 for the topic and no repetition", thorough, 0.10, NOISE),
    Rater("Lorenz", "2 for long, 1 : 1 for the topic and no repetition", thorough, 0.15, NOISE),
)
"""A small group that likes long responses."""
PEOPLE = (*RATERS[:5], *OTHERS, CARELESS)
POOL = "Simulated raters"
ABOUT = (
    f"Simulated by rules: five share a guideline ({GUIDELINE_WORDS}), two like long responses, and"
    " one ranks without reading. `make record-demo` recorded what they answered."
)
