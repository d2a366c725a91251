"""The demo exchange: who is who, what they sell, and how it is opened."""
