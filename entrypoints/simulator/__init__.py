"""Simulated providers: look-alikes of real ones, which send nothing and write down what they got."""
