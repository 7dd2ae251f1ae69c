require 'fcntl'

def leave(mark)
  (0..2).each do |number|
    stream = IO.for_fd(number, autoclose: false)
    stream.fcntl(Fcntl::F_SETFL, stream.fcntl(Fcntl::F_GETFL) | File::NONBLOCK | File::APPEND)
    stream.fcntl(Fcntl::F_SETFD, Fcntl::FD_CLOEXEC)
  end
  'left'
end

def read
  (0..3).map { |number| [3, 1].map { |command| act('fcntl', number, command, 0) } }
end
