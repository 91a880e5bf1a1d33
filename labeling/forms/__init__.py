"""What people fill in on the labeling pages, one module an audience. Checks what was typed; writes
nothing.
"""
