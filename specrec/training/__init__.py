"""What any network plugin trains with: reproducible sessions, devices, crops in memory."""
