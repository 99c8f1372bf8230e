"""How a change is reviewed: what a project comes to before and after, pinned, compared and tried."""
