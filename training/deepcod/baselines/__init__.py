"""The methods that the paper compares deep compressive offloading with, re-made for detection.

`methods.py` lists them; each is one file. `deepcod baselines` measures them all on the same pictures.
"""
