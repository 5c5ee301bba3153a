"""What pages and exports show of a study; reads only."""
