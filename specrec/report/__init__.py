"""What is made of results and cubes for people to look at: the page, and figures."""
