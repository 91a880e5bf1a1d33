"""Cochran, Sampling Techniques (1977), table 3.5: thirty households, how many people each has, and
how many of them saw a doctor.
"""

HOUSEHOLDS = [int(digit) for digit in "563323334432743544334331243424"]
SAW_DOCTOR = [int(digit) for digit in "502300000000041200132000220201"]
