"""What every room needs: ids, time, errors, channels, priorities, text and numbers."""
