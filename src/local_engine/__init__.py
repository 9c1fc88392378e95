"""An OpenAI-compatible engine on this machine: speech to text, chat, text to speech."""
