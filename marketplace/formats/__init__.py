"""How numbers are written in each language, where Django's own way would mislead readers of large figures."""
