"""What any network trains with: sessions and devices, prepared scenes, crops, the loop, checkpoints."""
