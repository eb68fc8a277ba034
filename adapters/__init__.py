"""The world behind the ports, one library a folder."""
