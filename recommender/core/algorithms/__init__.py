"""One file or folder for each system; all keep the contract of base.py."""
