"""The refusal classifier: does an answer comply, refuse, or refuse in part?"""
