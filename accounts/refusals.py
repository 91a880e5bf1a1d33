"""The base class of what services refuse."""


class Refusal(Exception):
    """A service refuses a request in the current state; `sentence` is for the person who made it.

    Each service raises a subclass named after what it could not do (UnableTo…), and pages catch it
    by that name. The API responds to all of them with 409.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
