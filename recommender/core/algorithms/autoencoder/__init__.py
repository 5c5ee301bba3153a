"""The paper's autoencoder, with an exact sparse form of withholding one rating per example."""
