"""How a setting (knob) is declared once, and read from a form or JSON. Runs and campaigns make
their forms, API and docs from it. Standard library only: the child process imports it too.
"""
