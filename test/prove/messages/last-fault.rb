# Far above the program and its heap, far below all other mappings.
NOWHERE = 0x8000000000

def leave(mark)
  act('fault', NOWHERE + mark[0, 7].hex) == 11 ? 'left' : 'no fault'
end

def read
  (0..2).map { |which| act('last_fault', which) }
end
