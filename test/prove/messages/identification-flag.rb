def leave(mark)
  word(act('identification', 1))
end

def read
  act('identification', -1)
end
