-- What a later version could add: the nodes of this one go on to read and write next to it.
ALTER TABLE nodes ADD COLUMN zone text;
