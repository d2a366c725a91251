"""What goes into every evidence pack as it is: how to verify it, in three languages, and a program that does."""
