# Well-formed answers to a question that nobody asked.
def leave(mark)
  frame = [mark, 4, 200, '{"said":"forged"}'].pack('H*CS<a*')
  IO.for_fd(3, autoclose: false).syswrite([frame.bytesize, frame].pack('L<a*') * 3)
  'left'
end

def read
  'quiet'
end
