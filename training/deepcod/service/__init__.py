"""The work-site service: YOLOv3's topology at quarter width, trained from scratch."""
