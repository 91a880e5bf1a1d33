"""Questions of onboarding steps, for tests."""

FLAGS = [
    {"prompt": "p", "response": f"r{number}", "is_sensitive": number % 2 == 0}
    for number in range(4)
]

QUIZ = [{"text": "What comes first?", "choices": ["help", "brevity"], "right": 0}]
