"""The code behind the buttons of the chat."""
