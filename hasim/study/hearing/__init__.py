"""Evidence that was recorded, or drawn, heard by detectors without a world around them."""
