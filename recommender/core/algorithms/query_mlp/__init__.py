"""The paper's first network, a multilayer perceptron with a one-hot query, one file per part."""
