"""The code of a release's steps; the decisions are pure, the steps read and change the world."""
