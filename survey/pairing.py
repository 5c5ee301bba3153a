"""Which questions an appraiser gets and which arm stands left; pure, the generator is passed in."""
