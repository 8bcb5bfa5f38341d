"""The code of a train's steps; what is next is decided purely, the steps read and change the stations' world."""
