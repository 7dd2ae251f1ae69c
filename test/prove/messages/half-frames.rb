# The head of an answer that never comes.
def leave(mark)
  IO.for_fd(3, autoclose: false).syswrite([1 << 20, mark].pack('L<H*'))
  'left'
end

def read
  'quiet'
end
