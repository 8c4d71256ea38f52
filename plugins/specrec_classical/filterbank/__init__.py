"""`filterbank`: colour and texture-filter responses, sparse-coded over prototypes (after Robles-Kelly 2015).

`texture` answers with filters, `learning` finds what of the answers tells spectra apart and the prototypes, `coding` is
the compiled inner loop, and `method` is the `Reconstructor`.
"""
