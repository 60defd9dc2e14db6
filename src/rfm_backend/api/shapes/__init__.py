"""What goes over the wire, as types: checked on the way in, documented on the way out."""
