"""The kinds of campaign. A kind is one class: its settings, each declared once, and what the kind
means for items, the desk, pay and exports. Forms, API bodies, changes and copies are made from it.
"""
