"""What pages and exports show of a study, as frozen dataclasses; reads only."""
