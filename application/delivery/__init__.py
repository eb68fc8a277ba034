"""Working a delivery off: begin (lease, decide, commit), call, settle."""
