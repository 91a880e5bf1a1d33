"""A kind of campaign that is not in the product: raters write a title for a prompt. It is the class
in titles.py and the template beside it.
"""
