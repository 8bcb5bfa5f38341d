"""Which of several versions is better, by what happens to those who use them."""
