"""What Jupyter's tools in Python need to know of the Firesteel kernel."""
