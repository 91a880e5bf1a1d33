"""Settings of installed packages. config/settings.py includes them."""
