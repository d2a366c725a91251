"""What a bank reads and writes: references, accounts, statements, files of payments. Files only; nobody is called."""
