# The generators of the C library, which begin alike in every process that does not seed them.
def call(name, *given, gives: Fiddle::TYPE_LONG)
  Fiddle::Function.new(Fiddle::Handle::DEFAULT[name], given.map { Fiddle::TYPE_LONG }, gives).call(*given)
end

def leave(mark)
  call('srand', mark[0, 7].hex)
  call('srand48', mark[0, 7].hex)
  'left'
end

def read
  [call('rand'), call('random'), call('drand48', gives: Fiddle::TYPE_DOUBLE)]
end
