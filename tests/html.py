"""Markup as tests look for it: without the white space that the templates' formatter may change."""

import re


def squeezed(html: str) -> str:
    """With each run of white space as one blank, and none between tags or before the end of one."""
    text = re.sub(r"\s+", " ", html)
    text = re.sub(r" (/?>)", r"\1", text)
    return re.sub(r"> <", "><", text)
