def leave(mark)
  word(act('rounding', 3))
end

def read
  act('rounding', -1)
end
