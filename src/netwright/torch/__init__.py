"""What turns specs into PyTorch modules and back."""
