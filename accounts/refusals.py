"""What a service refuses, and why."""


class Refusal(Exception):
    """A service will not do this as things stand; `sentence` tells the person who asked.

    Each service raises one of its own, named after what it could not do (UnableTo…), and pages
    catch it by that name. The API answers any of them with 409.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
