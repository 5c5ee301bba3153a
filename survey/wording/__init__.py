"""The words that appraisers read: built-in texts, a study's own, and their language."""
