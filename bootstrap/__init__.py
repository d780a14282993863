"""Makes the environment of a checkout. Standard library only: nothing is installed yet when this runs."""
