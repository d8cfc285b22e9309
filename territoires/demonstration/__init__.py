"""A generated demonstration territory: fictive roads between real mairies. Pure modules, no Django.

Everything made here is marked « fictif » wherever it shows.
"""
