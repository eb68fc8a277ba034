"""The whole engine in virtual time, in a world that fails: many seeds, one set of promises."""
